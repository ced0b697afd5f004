"""For machines where no small disk can be mounted or no network namespace be made: the same faults, told apart."""

import asyncio
import errno
import os
import threading
from contextlib import suppress
from pathlib import Path

from gallery.storage import DurableStorage
from tests.installation import free_port

FILLER = "filler"  # while a file of this name lies beside the pictures, nothing more fits


class SmallStorage(DurableStorage):
    """A folder that is full when it is told to be; what was begun lies there, as on a real disk."""

    def _save(self, name: str, content) -> str:
        if Path(self.path(FILLER)).exists():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super()._save(name, content)


class Relay:
    """A wire made of Python. While it is cut, nothing passes in either direction, and nobody is told."""

    def __init__(self, *ports: int) -> None:
        self.ports = {port: free_port() for port in ports}
        self._loop = asyncio.new_event_loop()
        self._whole = asyncio.Event()
        self._whole.set()

    def start(self) -> None:
        """From now on."""
        threading.Thread(target=self._run, daemon=True).start()

    def cut(self, *, off: bool) -> None:
        """Pulls the plug, or puts it back."""
        self._loop.call_soon_threadsafe(self._whole.clear if off else self._whole.set)

    def _run(self) -> None:
        for there, here in self.ports.items():
            self._loop.run_until_complete(asyncio.start_server(self._serve(there), "127.0.0.1", here))
        self._loop.run_forever()

    def _serve(self, port: int):
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._whole.wait()
            with suppress(OSError):
                far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
                await asyncio.gather(self._pass(reader, far_writer), self._pass(far_reader, writer))
            writer.close()

        return serve

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                await self._whole.wait()
                writer.write(data)
                await writer.drain()
        writer.close()
