"""Another cdk8s app, with imports/ and constructs/ of its own, that uses ours too: ``python app.py ours|own``."""

import sys
from pathlib import Path

from cdk8s_mlflow.synth.render import use_packaged_node

use_packaged_node()
sys.path.insert(0, str(Path(__file__).with_name("constructs")))

import cdk8s

if sys.argv[1] == "ours":
    from cdk8s_mlflow.chart import DatabaseChart, MlflowChart
    from platform_constructs import ReportDatabase
else:
    from platform_constructs import ReportDatabase
    from cdk8s_mlflow.chart import DatabaseChart, MlflowChart

from cdk8s_mlflow.settings import load

settings = load(Path("environments/production.yaml"))
app = cdk8s.App(outdir="out")
ReportDatabase(cdk8s.Chart(app, "reports"), "Reports")
DatabaseChart(app, "mlflow-database", settings=settings)
MlflowChart(app, "mlflow", settings=settings)
app.synth()
