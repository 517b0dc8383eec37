"""YAML that could be misunderstood is refused."""

from decimal import Decimal

import pytest

from conf.errors import ConfigError
from conf.strict_yaml import Replace, parse_yaml, read_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 1", {"a": 1}),
        ("a: -1.50", {"a": Decimal("-1.50")}),
        ("a: 1e3", {"a": Decimal(1000)}),
        ("a: true", {"a": True}),
        ("a: ~", {"a": None}),
        ("a: 'no'", {"a": "no"}),
        ("a: '010'", {"a": "010"}),
        ("a: 2026-11-01", {"a": "2026-11-01"}),
        ("a: TP-ACC-01", {"a": "TP-ACC-01"}),
        ("[1, x]", [1, "x"]),
    ],
)
def test_plain_yaml_says_what_it_seems_to_say(text, value):
    assert parse_yaml(text, "f") == value


@pytest.mark.parametrize(
    "scalar",
    [
        "no",
        "Yes",
        "ON",
        "off",
        "y",
        "True",
        "NULL",
        "010",
        "-007",
        "00.5",
        "12:30",
        "1:2:3",
        ".nan",
        "nan",
        "-.inf",
        "inf",
        "1_000",
        "0x1F",
        "0o17",
        "1,234.50",
        "1.2.3",
        "1e999",
        "5.",
    ],
)
def test_a_scalar_that_readers_understand_differently_is_refused_as_value_and_as_key(scalar):
    for text in (f"a: {scalar}", f"[{scalar}]" if "," not in scalar else f"- {scalar}"):
        with pytest.raises(ConfigError, match="different things"):
            parse_yaml(text, "f")
    with pytest.raises(ConfigError, match="different things"):
        parse_yaml(f"{scalar}: 1", "f")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\nb: 2\na: 3", "f line 3: a stands twice (first in line 1)"),
        ("x: {a: 1, a: 2}", "f line 1: a stands twice (first in line 1)"),
        ("1: x", "f line 1: the key 1 is not text; quote it"),
        ("true: x", "f line 1: the key True is not text; quote it"),
        ("a: &n 1\nb: *n", "f line 1: aliases (*name) are not allowed; write the value again"),
        ("a: &n [*n]", "f line 1: aliases (*name) are not allowed; write the value again"),
        ("a: {<<: {b: 1}}", "f line 1: merging (<<) is not allowed; write the values again"),
        ("a: !!int '3'", "f line 1: the tag !!int is not allowed here"),
        ("a: !!str 3", "f line 1: the tag !!str is not allowed here"),
        ("a: !replace [1]", "f line 1: the tag !replace is not allowed here"),
        ("a: !!python/object/apply:os.getcwd []", "f line 1: the tag !!python/object/apply:os."),
        ("", "f: is empty"),
        ("# nothing", "f: is empty"),
        ("a: 1\n---\nb: 2", "f line 2: expected a single document"),
        ("a: [1", "f line 2: while parsing a flow sequence"),
        ("a: \x01", "f: unacceptable character"),
    ],
)
def test_a_problem_names_the_line_and_the_fix(text, problem):
    with pytest.raises(ConfigError) as caught:
        parse_yaml(text, "f")
    assert str(caught.value).startswith(problem)


def test_all_problems_of_a_file_are_told_at_once():
    with pytest.raises(ConfigError) as caught:
        parse_yaml("a: no\nb: 010\na: 1", "f")
    assert len(caught.value.problems) == 3


def test_the_replace_tag_marks_a_mapping():
    value = parse_yaml("a: !replace {b: 1}", "f")["a"]
    assert isinstance(value, Replace)
    assert value == {"b": 1}


def test_a_file_that_cannot_be_read_is_a_configuration_error(tmp_path):
    (tmp_path / "latin.yaml").write_bytes(b"a: caf\xe9")
    with pytest.raises(ConfigError, match=r"latin.yaml: is not UTF-8 \(byte 6\)"):
        read_yaml(tmp_path / "latin.yaml")
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        read_yaml(tmp_path / "absent.yaml")
