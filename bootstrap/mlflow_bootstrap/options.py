"""The arguments and options that several commands of bootstrap.py share."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from mlflow_bootstrap.systems import PartName

Only = Annotated[PartName | None, typer.Argument(help="Only this part; by default all.", show_default=False)]
Environment = Annotated[str, typer.Option("--environment", "-e", help="Environment, a file of the folder.")]
Folder = Annotated[Path, typer.Option("--environments", help="Folder of the environment files.")]
Format = Annotated[Literal["text", "json"], typer.Option("--output", "-o", help="Form of the output.")]
Adopt = Annotated[
    list[str] | None,
    typer.Option("--adopt", help="Address of a thing of others to take over; see it in a plan.", show_default=False),
]
AdoptEarlier = Annotated[
    bool,
    typer.Option("--adopt-earlier", help="Take over what earlier releases created, which set no marks."),
]
CreateRealm = Annotated[bool, typer.Option("--create-realm", help="Create the realm if it is missing.")]
PrintTo = Annotated[
    Path | None, typer.Option("--print-secrets-to", help="Keep secrets in this new file instead of a store.")
]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Do not wait until the pods use the new value.")]
Timeout = Annotated[int, typer.Option("--timeout", min=1, help="Seconds to wait for the pods.")]
