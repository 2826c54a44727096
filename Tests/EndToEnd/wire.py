"""A small HTTP/1.1 client on asyncio: cheap enough for hundreds at once, and it can leave when it likes."""

import asyncio
import json
import socket


class Answer:
    """Status and headers of an answer; `events()` or `body()` for the rest."""

    def __init__(self, reader, writer, status, headers):
        self.reader, self.writer, self.status, self.headers = reader, writer, status, headers
        self.is_complete = False

    async def chunks(self):
        """Bytes as they come; ends early, without error, where the connection does."""
        try:
            if "content-length" in self.headers:
                left = int(self.headers["content-length"])
                while left:
                    data = await self.reader.read(min(left, 65_536))
                    if not data:
                        return
                    left -= len(data)
                    yield data
            else:
                while size := int(await self.reader.readuntil(b"\r\n"), 16):
                    yield (await self.reader.readexactly(size + 2))[:-2]
                await self.reader.readuntil(b"\r\n")
            self.is_complete = True
        except (asyncio.IncompleteReadError, ConnectionError, ValueError):
            return

    async def body(self):
        return b"".join([chunk async for chunk in self.chunks()])

    async def events(self):
        """The data of each whole event, as text."""
        pending = b""
        async for chunk in self.chunks():
            pending += chunk
            while b"\n\n" in pending:
                event, pending = pending.split(b"\n\n", 1)
                for line in event.split(b"\n"):
                    if line.startswith(b"data: "):
                        yield line[6:].decode()

    def leave(self):
        """Closes the connection, whatever is still to come."""
        self.writer.transport.abort()


class Connection:
    """One at a time; opened anew when the last answer did not end well."""

    def __init__(self, port, buffer=None):
        """`buffer`: bytes that may wait on this side, about; for clients that are slow."""
        self.port = port
        self.buffer = buffer
        self.last = None

    async def open(self):
        if self.buffer is None:
            return await asyncio.open_connection("127.0.0.1", self.port)
        slow = socket.socket()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.buffer)
        slow.setblocking(False)
        await asyncio.get_running_loop().sock_connect(slow, ("127.0.0.1", self.port))
        return await asyncio.open_connection(sock=slow, limit=self.buffer)

    async def post(self, path, body, headers, timeout=60):
        """- Raises: ConnectionError when there is no answer."""
        try:
            return await asyncio.wait_for(self._post(path, body, headers), timeout)
        except asyncio.IncompleteReadError as error:
            self.last = None
            raise ConnectionError("closed without an answer") from error

    async def _post(self, path, body, headers):
        if self.last is None or not self.last.is_complete:
            self.close()
            reader, writer = await self.open()
        else:
            reader, writer = self.last.reader, self.last.writer
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        head = [f"POST {path} HTTP/1.1", f"host: 127.0.0.1:{self.port}",
                "content-type: application/json", f"content-length: {len(data)}"]
        head += [f"{name}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join(head).encode() + b"\r\n\r\n" + data)
        await writer.drain()
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        pairs = (line.split(": ", 1) for line in lines[1:] if ": " in line)
        fields = {name.lower(): value for name, value in pairs}
        self.last = Answer(reader, writer, int(lines[0].split()[1]), fields)
        return self.last

    def close(self):
        if self.last is not None:
            self.last.leave()
            self.last = None
