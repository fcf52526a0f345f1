"""An environment with small backing services of its own in one namespace, to try MLflow on any cluster."""
