"""How many files this process may have open at once: Dask meets that limit with the same error again and again."""

from __future__ import annotations

import resource

from metaopt.core.errors import ConfigError


def ensure_open_files(needed: int) -> None:
    """Raises the limit of this process to what is needed, as far as the system lets it.

    Raises:
        ConfigError: if the system lets it have fewer.
    """
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if now == resource.RLIM_INFINITY or now >= needed:
        return
    if most != resource.RLIM_INFINITY and most < needed:
        raise ConfigError(
            f"this process may have {most} files open at once, and needs {needed}",
            f"raise the limit where metaopt is started: ulimit -n {max(1024, needed)}; or use fewer --workers",
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, most))
