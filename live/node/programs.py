"""Builds the node's programs once into the cache: Go modules, and Debian's packages unpacked.

Errors: MissingProgramError, when Go is missing or a build fails.
"""

import json
import os
import platform
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from shlex import quote

from live.node import versions
from live.servers.cache import cache_root, locked, make_once, require, run_quietly

_ENVIRONMENT = {"CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": "-mod=mod"}
_STUB = "package ext\n\ntype HTTP struct{}\n\ntype Router struct{}\n"


@dataclass(frozen=True, slots=True)
class Programs:
    """Where the node's programs are."""

    go: Path
    """Folder of the static programs."""
    debian: Path
    """Root of the unpacked packages."""
    tools: Path
    """Wrappers of Debian's programs, which find their libraries."""
    definitions: Path
    """CustomResourceDefinitions of Traefik, Flux and the Gateway API, a file each."""


def programs() -> Programs:
    """Everything that the node runs, built first if it is missing; about 20 minutes of two idle cores, once."""
    require("go", "golang")
    root = cache_root() / "node"
    steps = _steps()
    folder = root / _digest(Path(versions.__file__).read_text(), *(step.made_of for step in steps))
    with locked("node-programs"):
        missing = [step for step in steps if not step.built.exists()]
        for number, step in enumerate(missing, 1):
            build(step, f"for the node ({number} of {len(missing)})")
        _gather(steps, folder / "go")
    definitions = make_once(folder / "definitions", "fetching definitions for the node", _definitions)
    parts = "containerd, runc and network tools for the node"
    debian = make_once(root / f"debian-{_digest(*versions.DEBIAN_PACKAGES)}", f"unpacking {parts}", _unpack)
    tools = make_once(folder / "tools", f"wrapping {parts}", partial(_wrap, debian))
    return Programs(go=folder / "go", debian=debian, tools=tools, definitions=definitions)


def _digest(*parts: str) -> str:
    return sha256("\n".join(parts).encode()).hexdigest()[:10]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    name: str
    source: Callable[[], Path]
    """Prepares the folder to build in."""
    package: str
    made_of: str
    """What a change of which gives another program: the version, or the source if it is ours."""
    values: str = ""
    """More linker flags."""

    @property
    def built(self) -> Path:
        """The program; another version of it lies beside it."""
        return cache_root() / "node" / "built" / f"{self.name}-{_digest(self.package, self.made_of, self.values)}"


def _steps() -> list[Step]:
    ours = Path(__file__).with_name("forward")
    values, kubernetes = _kubernetes_version(), _source("kubernetes", versions.KUBERNETES, _kubernetes)
    return [
        Step(name="forward", source=lambda: ours, package=".", made_of=(ours / "main.go").read_text()),
        *(wrapped(name, of) for name, of in versions.WRAPPED.items()),
        *(
            Step(
                name=name,
                source=kubernetes,
                package=f"k8s.io/kubernetes/cmd/{name}",
                values=values,
                made_of=versions.KUBERNETES,
            )
            for name in versions.KUBERNETES_COMMANDS
        ),
        _step("traefik", versions.TRAEFIK[1], "./cmd/traefik", _traefik),
        _step("kustomize-controller", versions.KUSTOMIZE_CONTROLLER[1], ".", _kustomize_controller),
    ]


def wrapped(name: str, of: tuple[str, str, str]) -> Step:
    """The command of a module that builds as it is: module, version and package."""
    return _step(name, of[1], of[2], partial(_wrapper, of))


def _step(name: str, version: str, package: str, fill: Callable[[Path], object]) -> Step:
    return Step(name=name, source=_source(name, version, fill), package=package, made_of=version)


def _source(name: str, version: str, fill: Callable[[Path], object]) -> Callable[[], Path]:
    """Gives the folder to build in, which ``fill`` fills once."""

    def make(scratch: Path) -> Path:
        fill(scratch)
        return scratch

    folder = cache_root() / "node" / "sources" / f"{name}-{version}"
    return lambda: make_once(folder, f"preparing the source of {name} {version}", make)


def build(step: Step, purpose: str = "") -> Path:
    """Its program, built if it is missing."""

    def compile_to(scratch: Path) -> Path:
        program, flags = scratch / step.name, f"-s -w {step.values}"
        go(["build", "-trimpath", "-ldflags", flags, "-o", str(program), step.package], step.source())
        return program

    return make_once(step.built, f"building {step.name} {purpose}".rstrip(), compile_to)


def _gather(steps: Sequence[Step], folder: Path) -> None:
    """A folder with every program under its own name."""
    folder.mkdir(parents=True, exist_ok=True)
    for step in steps:
        if not (folder / step.name).exists():
            # Hard links: several sets of versions share what they have in common.
            os.link(step.built, folder / step.name)


def go(arguments: Sequence[str], folder: Path) -> str:
    """Run the ``go`` command in ``folder``; its standard output."""
    return run_quietly(["go", *arguments], environment=_ENVIRONMENT, folder=folder)


def _downloaded(module: tuple[str, str]) -> Path:
    # Outside of any module of ours, whose go.mod it would look into.
    answer: dict[str, str] = json.loads(go(["mod", "download", "-json", "@".join(module)], Path("/")))
    return Path(answer["Dir"])


def _wrapper(of: tuple[str, str, str], folder: Path) -> None:
    """A module of our own that requires another and its command."""
    module, version, package = of
    (folder / "go.mod").write_text("module node\n\ngo 1.26.0\n")
    (folder / "tools.go").write_text(f'//go:build tools\n\npackage tools\n\nimport _ "{package}"\n')
    go(["get", f"{module}@{version}"], folder)


def _kubernetes(folder: Path) -> None:
    """A module that requires Kubernetes and replaces each staging module by its published version."""
    source = _downloaded(("k8s.io/kubernetes", f"v{versions.KUBERNETES}"))
    lines = (source / "go.mod").read_text().splitlines()
    staged = sorted({line.split()[0] for line in lines if "=> ./staging/src/" in line} - {"replace"})
    published = f"v0.{versions.KUBERNETES.removeprefix('1.')}"
    heads = [line for line in lines if line.startswith(("go ", "godebug "))]
    imports = "".join(f'\t_ "k8s.io/kubernetes/cmd/{name}"\n' for name in versions.KUBERNETES_COMMANDS)
    (folder / "go.mod").write_text(
        "\n".join(
            ["module node", *heads, f"require k8s.io/kubernetes v{versions.KUBERNETES}", "replace ("]
            + [f"\t{module} => {module} {published}" for module in staged]
            + [")", ""]
        )
    )
    (folder / "tools.go").write_text(f"//go:build tools\n\npackage tools\n\nimport (\n{imports})\n")
    go(["mod", "tidy"], folder)


def _kubernetes_version() -> str:
    """What the programs say of themselves; without it the API server refuses kubelets of its own version."""
    major, minor, _ = versions.KUBERNETES.split(".")
    values = {"gitVersion": f"v{versions.KUBERNETES}", "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    return " ".join(f"-X k8s.io/component-base/version.{name}={value}" for name, value in values.items())


def _copy(module: tuple[str, str], folder: Path) -> None:
    shutil.copytree(_downloaded(module), folder, dirs_exist_ok=True)
    # The module cache is read-only.
    run_quietly(["chmod", "-R", "u+w", str(folder)])


def _kustomize_controller(folder: Path) -> None:
    """Without replacements by folders that its archive lacks."""
    _copy(versions.KUSTOMIZE_CONTROLLER, folder)
    for replaced in json.loads(go(["mod", "edit", "-json"], folder)).get("Replace") or []:
        if replaced["New"]["Path"].startswith("."):
            go(["mod", "edit", f"-dropreplace={replaced['Old']['Path']}"], folder)


def _traefik(folder: Path) -> None:
    """Traefik, with what its archive lacks: an extension point without extensions, and a fork that is not served."""
    _copy(versions.TRAEFIK, folder)
    extension = folder / "pkg/config/dynamic/ext"
    extension.mkdir(exist_ok=True)
    (extension / "go.mod").write_text("module github.com/traefik/traefik/dynamic/ext\n\ngo 1.24\n")
    (extension / "ext.go").write_text(_STUB)
    _without_dns_providers(folder / "pkg/provider/acme/provider.go")
    fork = "github.com/containous/go-http-auth@v0.4.1-0.20200324110947-a37a7636d23e"
    go(["mod", "edit", f"-replace=github.com/abbot/go-http-auth={fork}"], folder)


def _without_dns_providers(file: Path) -> None:
    """Leave out a hundred clients of DNS services, for certificates that no node here asks for; some are not served."""
    lines = [line for line in file.read_text().splitlines() if not line.endswith('/providers/dns"')]
    call = "dns.NewDNSChallengeProviderByName(p.DNSChallenge.Provider)"
    file.write_text("\n".join(lines).replace(call, 'nil, fmt.Errorf("built without DNS providers")') + "\n")


def _definitions(folder: Path) -> Path:
    traefik = _downloaded(versions.TRAEFIK) / "docs/content/reference/dynamic-configuration"
    shutil.copy(traefik / "kubernetes-crd-definition-v1.yml", folder / "traefik.yaml")
    for name, module, where in (
        ("kustomize", versions.KUSTOMIZE_CONTROLLER, "bases"),
        ("source", versions.SOURCE_CONTROLLER, "bases"),
        ("gateway", versions.GATEWAY_API, "standard"),
    ):
        parts = sorted((_downloaded(module) / "config/crd" / where).glob("*.yaml"))
        (folder / f"{name}.yaml").write_text("\n---\n".join(part.read_text() for part in parts))
    return folder


def _unpack(folder: Path) -> Path:
    archives = folder / "archives"
    archives.mkdir()
    # apt fetches as an unprivileged account, which may not write below root's home.
    apt = ["apt-get", "-o", "APT::Sandbox::User=root"]
    # Beside another apt-get that updates its lists, as for servers of the tests, this one would fail.
    with locked("apt"):
        run_quietly([*apt, "update", "-qq"])
        run_quietly([*apt, "download", "-q", *versions.DEBIAN_PACKAGES], folder=archives)
    for archive in archives.glob("*.deb"):
        run_quietly(["dpkg", "-x", str(archive), str(folder)])
    shutil.rmtree(archives)
    return folder


def _wrap(debian: Path, tools: Path) -> Path:
    libraries = debian / "usr/lib" / f"{platform.machine()}-linux-gnu"
    names = {
        name: name for name in ("nft", "ipset", "conntrack", "containerd", "containerd-shim-runc-v2", "runc", "ctr")
    }
    for verb in ("", "-save", "-restore"):
        names |= {f"{family}{verb}": "xtables-nft-multi" for family in ("iptables", "ip6tables")}
    for name, program in names.items():
        real = next(path for path in (debian / "usr/sbin" / program, debian / "usr/bin" / program) if path.exists())
        variables = f"LD_LIBRARY_PATH={quote(str(libraries))} XTABLES_LIBDIR={quote(f'{libraries}/xtables')}"
        # -a: the program goes by the name under which it was started.
        (tools / name).write_text(f'#!/bin/bash\nexport {variables}\nexec -a {name} {quote(str(real))} "$@"\n')
        (tools / name).chmod(0o755)
    return tools


if __name__ == "__main__":
    programs()
