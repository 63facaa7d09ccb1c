"""Selectors of DeviceClasses: what of CEL is read, and that nothing else is guessed."""

from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.api.devices import Device
from isthmus.capacity.selectors import SIZE_LIMIT, selector
from isthmus.capacity.subject import SelectorError, Subject
from testbed.devices import DRIVER, gpu

A100 = Subject(
    DRIVER,
    msgspec.convert(
        gpu("gpu-0")
        | {
            "attributes": gpu("gpu-0")["attributes"]
            | {"index": {"int": 3}, "healthy": {"bool": True}, "resource.kubernetes.io/pcieRoot": {"string": "pci0"}}
        },
        Device,
    ),
)
OWN = f"device.attributes['{DRIVER}']"


@pytest.mark.parametrize(
    ("expression", "meets"),
    [
        ("device.driver == 'gpu.nvidia.com'", True),
        ('device.driver == "gpu.amd.com"', False),
        ("device.driver != 'gpu.amd.com'", True),
        (f"device.driver == '{DRIVER}' && {OWN}.type == 'gpu'", True),
        (f"device.driver == '{DRIVER}' && {OWN}.type == 'mig'", False),
        (f"device.driver == 'gpu.amd.com' && {OWN}.nothing == 'x'", False),
        (f"{OWN}.nothing == 'x' && device.driver == 'gpu.amd.com'", False),
        (f"{OWN}.nothing == 'x' || device.driver == '{DRIVER}'", True),
        (f"!({OWN}['type'] == 'mig')", True),
        (f"{OWN}.index == 3 && {OWN}.index >= 3 && {OWN}.index < 4", True),
        (f"{OWN}.index == '3'", False),
        (f"{OWN}.healthy", True),
        (f"!!{OWN}.healthy == true", True),
        (f"{OWN}.productName.startsWith('NVIDIA A100') && !{OWN}.productName.contains('H100')", True),
        (f"{OWN}.architecture in ['Ampere', 'Hopper',]", True),
        (f"'{DRIVER}' in device.attributes && !('other.example.com' in device.attributes)", True),
        (f"'uuid' in {OWN} && !('uuid' in device.attributes['other.example.com'])", True),
        (f"has({OWN}.uuid) && !has({OWN}.nothing)", True),
        ("device.attributes['resource.kubernetes.io'].pcieRoot == 'pci0'", True),
        (f"device.capacity['{DRIVER}'].memory.compareTo(quantity('80Gi')) >= 0", True),
        (f"device.capacity['{DRIVER}'].memory.isGreaterThan(quantity('80Gi'))", False),
        (f"device.capacity['{DRIVER}'].memory == quantity('81920Mi')", True),
        (f"{OWN}.driverVersion == '580.65.6'", False),
        (r"'it\'s' == 'it\'s'", True),
    ],
)
def test_a_device_meets_what_kubernetes_would_say_it_does(expression: str, meets: bool) -> None:
    """What drivers and administrators write is read as CEL reads it, errors that do not decide passed over."""
    assert selector(expression)(A100) is meets


@pytest.mark.parametrize(
    "expression",
    [
        f"{OWN}.nothing == 'x'",
        "device.attributes['other.example.com'].type == 'gpu'",
        f"device.driver == '{DRIVER}' && {OWN}.nothing",
        f"{OWN}.index < 'x'",
        f"{OWN}.type",
        f"{OWN}.index.startsWith('3')",
        "quantity('many') == quantity('1')",
        "device.attributes in device.attributes",
        "'a' in 'abc'",
        "device.nothing == 'x'",
        "device.driver.x == 'x'",
    ],
)
def test_what_has_no_value_is_an_error(expression: str) -> None:
    """A missing attribute or a wrong type is no answer, and is not taken for one."""
    evaluate = selector(expression)
    with pytest.raises(SelectorError):
        evaluate(A100)


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "device.driver ==",
        "device.driver == 'a",
        "device.driver = 'a'",
        "device.driver == 'a' ? true : false",
        "device.driver.matches('gpu.*')",
        "device.attributes.all(x, true)",
        f"{OWN}.index + 1 == 4",
        f"semver('1.0.0') == {OWN}.driverVersion",
        "cel.bind(a, device.attributes, a.x)",
        "device.driver == 'a' 'b'",
        "(device.driver == 'a'",
        "1.5 == 1.5",
        "has(",
        "driver == 'a'",
        "(" * 5000 + "true" + ")" * 5000,
        "[" * 5000,
        "device" + ".a" * 4000,
        "!" * (SIZE_LIMIT + 1) + "true",
    ],
)
def test_what_is_not_known_is_refused(expression: str) -> None:
    """Whatever else CEL has, or is none, is refused as it is read, however deep it is nested."""
    with pytest.raises(SelectorError):
        selector(expression)


@given(st.text(alphabet="device.attributes[]'\"()!&|=<>, 019ainhsq\\\n", max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text ends in anything but a truth value or the one error."""
    with suppress(SelectorError):
        assert isinstance(selector(text)(A100), bool)
