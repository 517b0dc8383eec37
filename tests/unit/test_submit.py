"""What `spark-submit` starts, as far as no engine is needed to see it."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pytest

from conf.schema import EngineSettings
from jobs import submit
from jobs.engine import open_engine
from tables.errors import UserError


def test_without_a_wheel_it_says_how_to_ship_it(monkeypatch, capsys):
    monkeypatch.setattr(sys, "path", ["/somewhere", "/somewhere/other-1.0-py3-none-any.whl"])
    assert submit.main() == 2
    assert "add --py-files dist/xsell-….whl" in capsys.readouterr().err


def test_the_wheel_is_unpacked_with_settings_and_templates(tmp_path):
    wheel = tmp_path / "xsell-9-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("conf/base/engine.yaml", "engine: {}")
    folder = Path(submit.unpacked(wheel))
    assert (folder / "conf/base/engine.yaml").read_text() == "engine: {}"


@pytest.mark.parametrize(
    ("kind", "url"), [("embedded", ""), ("connect", "sc://there"), ("spark", "local[1]")]
)
def test_spark_submit_decides_engine_and_master(monkeypatch, kind, url):
    monkeypatch.setenv("PYSPARK_GATEWAY_PORT", "1")
    settings = EngineSettings(kind=kind, url=url, shuffle_partitions=1)
    told = "set engine.kind=spark and leave engine.url empty"
    with pytest.raises(UserError, match=told), open_engine(settings):
        pass
