"""What ``dump`` and ``restore`` are made of.

target      the folder in S3 that holds dumps: which there are, which are complete, which are too old
manifest    what a dump says about itself; it is written last, so a dump without one is incomplete
streams     rows to an object and back: checksum, compression, encryption, never a file
snapshot    both databases as they were at one moment
loading     the tables of one database, loaded from a dump and checked against it
restored    whether a database holds what a dump has of it already
tables      tables, columns and sequences of a database; its constraints and indexes, set aside while rows are loaded
"""
