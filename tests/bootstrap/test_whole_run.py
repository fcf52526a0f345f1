"""A whole apply, killed or disturbed at any point: the next one ends right, and no secret has changed."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import HTTPError

import pytest
from command_line import Servers, environment
from fault_proxy import FaultProxy, calls, calls_before
from secrecy import SecretDetector
from sql import OURS
from sso import SERVICE_ACCOUNT

from cdk8s_mlflow.settings import Settings

pytestmark = pytest.mark.servers

SettingsOf = Callable[..., Settings]
LAST_REQUEST = 70
"""An apply from nothing takes a few more if a read is repeated."""


@dataclass(frozen=True, kw_only=True)
class Runner:
    """Starts runs of ``bootstrap.py`` one after the other, each a process of its own."""

    process: "subprocess.Popen[str]"

    def start(self, folder: Path, environ: dict[str, str], *arguments: str) -> int:
        """Start a run; gives its process id."""
        assert self.process.stdin
        assert self.process.stdout
        named = [*arguments, "--environment", "site", "--environments", str(folder)]
        task = {"arguments": named, "environment": environ, "output": str(folder / "output")}
        print(json.dumps(task), file=self.process.stdin, flush=True)
        return int(self.process.stdout.readline())

    def wait(self) -> int:
        """The run's exit code."""
        assert self.process.stdout
        return int(self.process.stdout.readline())


@pytest.fixture(scope="module")
def runners() -> Iterator[list[Runner]]:
    """Two, for what happens at once."""
    script = Path(__file__).with_name("forked_bootstrap.py")
    with ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen([sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            for _ in range(2)
        ]
        yield [Runner(process=process) for process in processes]


@pytest.fixture(scope="module")
def ways(servers: Servers) -> Iterator[list[FaultProxy]]:
    """The ways to Keycloak, MinIO and OpenBao, whose requests are counted together."""
    with ExitStack() as stack:
        keycloak = stack.enter_context(FaultProxy(servers.keycloak.url))
        others = [FaultProxy(server.url, beside=keycloak) for server in (servers.minio, servers.openbao)]
        yield [keycloak, *map(stack.enter_context, others)]


@dataclass(frozen=True, kw_only=True)
class Site:
    """An environment of which nothing exists yet, behind the proxies."""

    settings: Settings
    folder: Path
    servers: Servers
    ways: list[FaultProxy]
    environ: dict[str, str] = field(repr=False)

    def run(self, runner: Runner, *arguments: str) -> int:
        """A whole run's exit code."""
        runner.start(self.folder, self.environ, *arguments)
        return runner.wait()

    def killed(self, runner: Runner, nth: int) -> int:
        """The exit code of an apply that is killed once its ``nth`` request has reached the server."""
        process: Future[int] = Future()
        self.ways[0].clear()
        # The proxy's thread waits for the process id, which is known once the run has begun.
        self.ways[0].spoil(calls(lambda: os.kill(process.result(60), signal.SIGKILL)), nth=nth)
        process.set_result(runner.start(self.folder, self.environ, "apply"))
        code = runner.wait()
        self.ways[0].clear()
        return code

    def secrets(self) -> set[tuple[str, str, str]]:
        """Entry, field and value of all that is in the store."""
        entries = ("postgres", "s3", "oidc", "server", "machines", "directory")
        return {(entry, name, value) for entry in entries for name, value in self._entry(entry).items()}

    def _entry(self, entry: str) -> dict[str, str]:
        path = f"secret/data/{self.settings.secrets.vault_prefix}/{entry}"
        try:
            return dict(self.servers.openbao.call("GET", path)["data"]["data"])
        except HTTPError:
            return {}

    @property
    def output(self) -> str:
        """All that the runs have printed."""
        return (self.folder / "output").read_text()


@pytest.fixture
def make_site(
    servers: Servers,
    ways: list[FaultProxy],
    settings_of: SettingsOf,
    keycloak_settings: SettingsOf,
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[], Site]:
    """Creates environments."""

    def make() -> Site:
        keycloak, minio, openbao = ways
        keycloak.clear()
        names = keycloak_settings().authentication.model_dump(mode="json", exclude_unset=True)
        addresses = servers.addresses() | {
            "keycloak_url": keycloak.url,
            "s3_endpoint": minio.url,
            "read_timeout_seconds": 300,
        }
        settings = settings_of(release="3.17.2", authentication=names, database=OURS, bootstrap=addresses)
        folder = tmp_path_factory.mktemp("site")
        environ = servers.administrators() | SERVICE_ACCOUNT | {"VAULT_ADDR": openbao.url}
        environment(folder, settings, environ)
        return Site(settings=settings, folder=folder, servers=servers, ways=ways, environ=environ)

    return make


# Every third one, since each takes two more whole runs.
@pytest.mark.parametrize("nth", range(1, LAST_REQUEST, 3))
def test_apply_killed_after_any_request_can_continue(
    make_site: Callable[[], Site], runners: list[Runner], detector: SecretDetector, nth: int
) -> None:
    site = make_site()

    killed = site.killed(runners[0], nth)
    before = site.secrets()
    codes = [site.run(runners[0], "apply"), site.run(runners[0], "verify")]

    assert killed == -signal.SIGKILL
    assert codes == [0, 0], site.output
    assert before <= site.secrets()
    detector.hear("output of bootstrap.py", site.output)


def test_apply_from_nothing_takes_the_tested_requests(make_site: Callable[[], Site], runners: list[Runner]) -> None:
    site = make_site()

    code = site.run(runners[0], "apply")

    assert code == 0, site.output
    assert LAST_REQUEST <= len(site.ways[0].requests) < LAST_REQUEST + 6


def test_concurrent_applies_agree_on_everything(
    make_site: Callable[[], Site], runners: list[Runner], detector: SecretDetector
) -> None:
    sites = [make_site() for _ in range(10)]

    with ThreadPoolExecutor(2) as threads:
        codes = [list(threads.map(site.run, runners, ["apply", "apply"])) for site in sites]
    before = [site.secrets() for site in sites]
    verified = [site.run(runners[0], "verify") for site in sites]

    assert codes == [[0, 0]] * 10, [site.output for site in sites]
    assert verified == [0] * 10
    assert before == [site.secrets() for site in sites]
    detector.hear("output of bootstrap.py", "".join(site.output for site in sites))


@pytest.mark.parametrize("server", ["openbao", "minio"])
@pytest.mark.parametrize("nth", [1, 4])
def test_server_restart_during_apply_is_waited_for(
    make_site: Callable[[], Site], runners: list[Runner], server: str, nth: int
) -> None:
    site = make_site()
    when = {"openbao": "GET /v1/secret/", "minio": "GET /"}[server]
    restart = getattr(site.servers, server).restart
    site.ways[0].spoil(calls_before(restart), nth=nth, when=when)

    codes = [site.run(runners[0], "apply"), site.run(runners[0], "verify")]

    assert codes == [0, 0], site.output


def test_wrong_password_of_one_system_spares_others(make_site: Callable[[], Site], runners: list[Runner]) -> None:
    site = make_site()
    wrong = {**site.environ, "KEYCLOAK_ADMIN_CLIENT_SECRET": "a-guess"}

    runners[0].start(site.folder, wrong, "apply")
    refused, before = runners[0].wait(), site.secrets()
    codes = [site.run(runners[0], "apply"), site.run(runners[0], "verify")]

    assert refused == 3
    assert site.output.count("refuses the login") >= 1
    assert codes == [0, 0], site.output
    assert before <= site.secrets()
