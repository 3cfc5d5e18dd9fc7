"""Compile what the image's programs import, and nothing else: the rest would be as large, and is not used.

On a root file system that can't be written to Python would compile it again at every start.
"""

import importlib
import pkgutil
import py_compile
import sys
import sysconfig
from contextlib import suppress
from pathlib import Path

OURS = ("icefloe", "components", "pipelines", "serving", "studies")
PROGRAMS = (
    "dvc.cli",
    "dvc.commands.data_sync",
    "dvc_s3",
    "kfp.dsl.executor_main",
    "mlflow.cli",
    "mlflow.server.fastapi_app",
    "mlflow.store.tracking.sqlalchemy_store",
    "mlflow.store.model_registry.sqlalchemy_store",
    "psycopg",
    "ray._private.workers.default_worker",
    "ray.autoscaler._private.monitor",
    "ray.dashboard.agent",
    "ray.dashboard.dashboard",
    "ray.dashboard.modules.job.job_head",
    "ray.dashboard.modules.job.job_agent",
    "ray.job_submission",
    "ray.scripts.scripts",
    "segmentation_models_pytorch",
    "skimage.measure",
    "torch._dynamo",
    "matplotlib.backends.backend_agg",
    "matplotlib.pyplot",
)
"""Entered by name, or only when they are needed."""


def main() -> None:
    """Import every module of ours and every program; compile what that brought in."""
    for name in OURS:
        package = importlib.import_module(name)
        for found in pkgutil.walk_packages(package.__path__, f"{name}."):
            if not found.name.endswith("__main__") and ".migrations" not in found.name:
                with suppress(ImportError):  # an extra that the image is without
                    importlib.import_module(found.name)
    for name in PROGRAMS:
        with suppress(SystemExit):  # a worker that has no cluster
            importlib.import_module(name)
    root = Path(sysconfig.get_path("purelib"))
    sources = {
        Path(module.__file__) for module in list(sys.modules.values()) if getattr(module, "__file__", None)
    }
    sources |= {source for name in OURS for source in (root / name).rglob("*.py")}
    sources = {source for source in sources if source.suffix == ".py" and source.is_relative_to(root)}
    for source in sorted(sources):
        py_compile.compile(
            str(source), doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
        )
    print(f"{len(sources)} modules compiled")


if __name__ == "__main__":
    sys.argv = sys.argv[:1]
    main()
