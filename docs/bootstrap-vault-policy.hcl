# Reading, making and renewing our entries.
path "secret/data/mlflow/*" {
  capabilities = ["create", "read", "update"]
}

# Only for destroy.
path "secret/metadata/mlflow/*" {
  capabilities = ["delete"]
}
