"""What a fault can do to a bank: every write of publishing, log, registry and export goes wrong.

- `tiny.py` publishes the smallest campaign there is through the real code, in half a second.
- `shim.c`, loaded into a process, numbers its calls that write (open, write, fsync, rename, link,
  mkdir, unlink, …; those of delta-rs, Arrow and SQLite, too) and lets one of them go wrong: killed,
  disk full from there on, I/O error, half a write. Where there is no compiler, `points.py` does the
  same to what Python itself calls.
- `forks.py` forks a process per fault from one that has imported everything; `matrix.py` asks it.
- `seen.py` is the reader: what stands is the old run or the new one; tables, lists, log and
  checkpoint together; after a repetition there are the bytes of a run to which nothing happened,
  and no debris.
- `order.py` reads in a trace what no kill shows: bytes are forced to the disk before the name that
  makes them visible, and names before the run that relies on them.
- `broken.py` breaks the protocol in known ways; a test says that the checks above notice each.

A fault that did not happen proves nothing, so each is asserted to have fired, and the number of
writes to be what it was.
"""
