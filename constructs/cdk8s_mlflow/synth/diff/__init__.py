"""What a change of settings means: by object and field, beside what git has committed."""
