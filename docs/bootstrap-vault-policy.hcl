# Reading, making and renewing our entries.
path "secret/data/mlflow/*" {
  capabilities = ["create", "read", "update"]
}

# Marking them as ours; delete only for destroy.
path "secret/metadata/mlflow/*" {
  capabilities = ["create", "update", "delete"]
}
