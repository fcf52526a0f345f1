# Stands for burakince/mlflow:3.6.0: another user, and an environment of its own that is first on the path and in which
# nothing of ours can be imported.
ARG DEBIAN
FROM ${DEBIAN}
RUN useradd --system --uid 1001 mlflow && \
    python3 -m venv --without-pip /opt/venv && \
    cd /opt/venv/lib/python3.*/site-packages && \
    for name in mlflow mlflow_oidc_auth mlflow_sso sqlalchemy alembic; do \
      mkdir $name && echo "raise ImportError('this is the package of the base')" > $name/__init__.py; done && \
    ln -s "$PWD" /opt/base-packages
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONPATH=/opt/base-packages
WORKDIR /mlflow
USER mlflow
EXPOSE 5000
CMD ["mlflow", "server"]
