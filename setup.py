"""What setuptools cannot be told in pyproject.toml: models and SQL lie beside the package and ship inside it."""

from setuptools import find_namespace_packages, setup

SHIPPED = {"pipelines.dbt_like_models": "dbt_like_models", "pipelines.sql": "sql"}

setup(
    packages=[
        *find_namespace_packages(include=["pipelines*"]),
        *SHIPPED,
        *(f"{package}.{inner}" for package, folder in SHIPPED.items() for inner in find_namespace_packages(folder)),
    ],
    package_dir=SHIPPED,
    package_data={"": ["*"]},
    exclude_package_data={"": ["*.pyc"]},
)
