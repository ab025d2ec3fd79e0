"""The CDN of a run: nginx with a cache that keeps to the headers of the store."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from dev.promise_children import Child, ChildError, free_port
from dev.promise_plan import nginx
from dev.promise_store import BUCKET, HOST

if TYPE_CHECKING:
    from pathlib import Path

_START = 20.0
# the temporary folders are named one by one: their defaults belong to the system's nginx
_CONFIG = """
{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log warn;
events {{ worker_connections 2048; }}
http {{
    access_log off;
    client_body_temp_path {folder}/nginx-body;
    proxy_temp_path {folder}/nginx-proxy;
    fastcgi_temp_path {folder}/nginx-fastcgi;
    uwsgi_temp_path {folder}/nginx-uwsgi;
    scgi_temp_path {folder}/nginx-scgi;
    proxy_cache_path {folder}/nginx-cache keys_zone=pictures:4m inactive=10m;
    server {{
        listen {host}:{port} backlog=1024;
        location / {{
            proxy_pass {origin}/{bucket}/;
            proxy_cache pictures;
            proxy_cache_key $uri;
            proxy_cache_lock on;
            proxy_cache_use_stale off;
            proxy_read_timeout 20s;
            add_header X-Cache $upstream_cache_status always;
        }}
    }}
}}
"""


async def start_edge(origin: str, folder: Path) -> tuple[Child, str]:
    """Nginx in front of a store, and its address; ChildError when it does not answer."""
    port = free_port()
    # as root its worker would become nobody, who may not write here
    user = "user root;" if os.geteuid() == 0 else ""
    config = folder / "nginx.conf"
    names = {"host": HOST, "port": port, "origin": origin, "bucket": BUCKET}
    config.write_text(_CONFIG.format(user=user, folder=folder, **names))
    words = [nginx() or "nginx", "-p", str(folder), "-e", "nginx-error.log", "-c", str(config)]
    child = await Child.start("nginx", words, {"PATH": os.environ["PATH"]}, folder)
    await _listens(child, port)
    return child, f"http://{HOST}:{port}"


async def _listens(child: Child, port: int) -> None:
    async with asyncio.timeout(_START):
        while child.alive():
            try:
                _, writer = await asyncio.open_connection(HOST, port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return
    raise ChildError("nginx did not start: see nginx.out and nginx-error.log")
