# Stands for python:3.12-slim.
ARG DEBIAN
FROM ${DEBIAN}
CMD ["python3"]
