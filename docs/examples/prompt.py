"""Keep a prompt in the registry, give it an alias, and load it by that.

Needs: mlflow, python-dotenv, and connection.py beside it.
"""

import sys

import mlflow
from connection import connect

connect()
name = sys.argv[1] if len(sys.argv) > 1 else "greeting"

mlflow.genai.register_prompt(name=name, template="Say {{greeting}} to {{name}}.")
mlflow.genai.set_prompt_alias(name, alias="current", version=1)

prompt = mlflow.genai.load_prompt(f"prompts:/{name}@current")
assert prompt.format(greeting="good morning", name="Ada") == "Say good morning to Ada."
print(f"prompt {prompt.name} version {prompt.version}")
