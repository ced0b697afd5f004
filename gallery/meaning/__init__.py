"""Finding by meaning: prompts as vectors (encoder), kept in a file that is mapped into memory (matrix).

Needs numpy, transformers and torch, which the web process is not to load: imported only inside a task or a command.
"""
