"""Databases created by MLflow's and the plugin's own migrations: scripts for a release's interpreter."""

INITIALISE = """
import os, sqlalchemy
from mlflow.store.db.utils import _initialize_tables
from mlflow_oidc_auth.db.utils import migrate
_initialize_tables(sqlalchemy.create_engine(os.environ["MLFLOW_BACKEND_STORE_URI"]))
migrate(sqlalchemy.create_engine(os.environ["OIDC_USERS_DB_URI"]), "head")
"""
"""Both databases at the release's heads."""

FIRST_REVISIONS = """
import os, sqlalchemy
from alembic.command import upgrade
from mlflow.store.db.utils import _get_alembic_config
from mlflow.store.tracking.dbmodels.initial_models import Base
from mlflow_oidc_auth.db.utils import migrate
uri = os.environ["MLFLOW_BACKEND_STORE_URI"]
Base.metadata.create_all(sqlalchemy.create_engine(uri))
upgrade(_get_alembic_config(uri), "451aebb31d03")
migrate(sqlalchemy.create_engine(os.environ["OIDC_USERS_DB_URI"]), "8606fa83a998")
"""
"""Both databases at the first revision that their packages ever had."""

HALF_MADE_TABLES = """
import os, sqlalchemy
from mlflow.store.tracking.dbmodels.initial_models import Base
tables = Base.metadata.sorted_tables[:3]
Base.metadata.create_all(sqlalchemy.create_engine(os.environ["MLFLOW_BACKEND_STORE_URI"]), tables=tables)
"""
"""What is left of MLflow's own start when it is killed among its first tables, which it commits one by one."""
