"""The web server: gunicorn with the settings this program needs, started from Python instead of a command line."""

import socket
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

# Seconds the kernel keeps a connection back that sends nothing.
SILENT_CONNECTION_SECONDS = 30


class WebServer(BaseApplication):
    """Serves `app.create_app()` with `workers` processes of one request at a time each.

    One thread per process: Flask-AppBuilder keeps search filters on the view object, so two requests at the same time
    in one process could see each other's. The threaded worker class is used all the same, for its keep-alive.
    The application is built once, before the processes are forked.
    """

    def __init__(self, address: str, port: int, workers: int) -> None:
        host = f"[{address}]" if ":" in address else address
        self._options: dict[str, Any] = {
            "bind": f"{host}:{port}",
            "workers": workers,
            "worker_class": "gthread",
            "threads": 1,
            "keepalive": 5,
            "timeout": 60,
            "graceful_timeout": 15,
            "max_requests": 20_000,
            "max_requests_jitter": 2_000,
            "preload_app": True,
            "control_socket_disable": True,  # its default path is shared by all installations of a user
            "proc_name": "huying-web",
            "loglevel": "warning",
            "when_ready": _hold_back_silent_connections,
            "post_fork": _forget_connections,
        }
        super().__init__()

    def load_config(self) -> None:
        """Hand our settings to gunicorn; neither its command line nor its environment variables are read."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """The application, built in the parent process."""
        from app import create_app

        return create_app()


def _hold_back_silent_connections(server: Any) -> None:
    """Let the kernel hand a connection over only when its request has begun.

    Browsers open spare connections ahead of need; each would occupy a whole process until it spoke or timed out.
    """
    for listener in server.LISTENERS:
        listener.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, SILENT_CONNECTION_SECONDS)


def _forget_connections(server: Any, worker: Any) -> None:
    """Leave database connections opened while the application was built to the parent: they must not be shared."""
    application = worker.app.wsgi()
    with application.app_context():
        for engine in application.extensions["sqlalchemy"].engines.values():
            engine.dispose(close=False)
