"""What runs in the process of somebody's PyTorch script and tells gradstep what happens there.

Standard library and torch only, Python 3.9 and later. It is never imported by gradstep itself. The
messages that it sends are described in engine/capture/wire.py.

Nothing here may change what the script computes, prints or leaves behind. So: no tensor-level
state; no hooks on modules, tensors or optimizers; the function mode hides from whoever asks in
Python (``hiding``); every body of a hook runs with torch functions disabled and may fail without
harm; frames of ours are taken out of tracebacks as they pass; random numbers are not touched.
"""
