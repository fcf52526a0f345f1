"""What ``gc`` is made of.

due            what was marked deleted long enough ago
locations      which folder an artifact URI names, and which folders it may name
usage          the folders that rows use which are not about to go
sweep          deletes the objects of many folders in few requests
row_deletion   deletes rows with their dependants
collection     one run: batches, each one transaction
"""
