"""Renews MLflow's key of MinIO without a moment in which a pod has one that is not valid.

MinIO knows one password a user. So a second user gets a key first, which the store holds until every pod uses it; then
the first user gets its new password, and once every pod uses that the second user goes. A run that is cut off leaves
two valid keys, and the next one goes on where it ended.
"""

from collections.abc import Callable, Iterator, Mapping

from mlflow_bootstrap import minio
from mlflow_bootstrap.difference import Difference, Secrecy
from mlflow_bootstrap.engine import Action, Change
from mlflow_bootstrap.minio.connection import ObjectStore
from mlflow_bootstrap.minio.second_user import SecondUser
from mlflow_bootstrap.run import Run
from mlflow_bootstrap.store import entries

ENTRY = "s3"


def renew_beside(
    run: Run,
    *,
    look: Callable[[], object],
    wait: Callable[[], None],
    store: Callable[[Mapping[str, str]], Change],
    say: Callable[[str], None],
) -> Iterator[Change]:
    """Renew the key. Gives each change, which is reported.

    ``look`` asks the pods once, and ``wait`` returns when every pod uses what the store holds. ``store`` renews the
    entry there with the given fields.

    Raises:
        BootstrapError: a pod does not, or cannot be asked; or MinIO or the store refuses something.
    """
    first, second = minio.users(run.context, ObjectStore.of(run.context))
    # Before anything is renewed: without this right no step would be known to be done.
    look()
    stored = run.backend.values.value(ENTRY, "accesskey")
    if stored is None or stored.get_secret_value() != second.name:
        if second.is_there():
            # Left by a run that was cut off while pods still used it.
            wait()
            yield _removed(run, second)
        secret = entries.new_token()
        second.give(secret)
        yield _reported(run, Change(Action.CREATE, second.address))
        yield store({"accesskey": second.name, "secretkey": secret})
        say(f"the earlier key stays valid until every pod uses that of {second.name}")
    wait()
    secret = entries.new_token()
    # Before the store: no pod uses it, and a run that is cut off here begins this step again.
    first.give(secret)
    renewed = Difference("secret_key", Secrecy.RENEWED, Secrecy.RIGHT)
    yield _reported(run, Change(Action.UPDATE, first.address, (renewed,)))
    yield store({"secretkey": secret})
    say(f"the key of {second.name} stays valid until every pod uses that of {first.name}")
    wait()
    yield _removed(run, second)


def _removed(run: Run, second: SecondUser) -> Change:
    second.delete()
    return _reported(run, Change(Action.DELETE, second.address))


def _reported(run: Run, change: Change) -> Change:
    run.report(change)
    return change
