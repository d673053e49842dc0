"""What values say of the rest of a scenario: the network of an address, the file of a text."""

from collections.abc import Iterator

from core.scenario.candidates import ListRefusedError, texts_of
from core.scenario.folder import FileRefusedError, Folder
from core.scenario.positions import Finding, Place
from core.scenario.references import Checked, there
from core.scenario.schema_errors import suggestion
from core.scenario.schema_values import AddressValue, TextValue


def value_findings(checked: Checked) -> Iterator[Finding]:
    """Yield every error across sections that has to do with values."""
    for name, value in checked.scenario.values.items():
        match value:
            case AddressValue():
                yield from _network(checked, value.network, ("values", name, "network"))
            case TextValue():
                yield from _list(checked.folder, value.from_, ("values", name, "from"))
            case _:
                pass


def _network(checked: Checked, name: str, place: Place) -> Iterator[Finding]:
    network = checked.scenario.networks.get(name)
    if name not in checked.declared["networks"]:
        near = suggestion(name, checked.declared["networks"])
        yield Finding(message=f"networks has no {name!r}{near}", place=place)
    elif network is not None and network.shared:
        message = f"{name} is shared: which of its addresses are free is the site's to know"
        yield Finding(message=message, place=place)


def _list(folder: Folder, path: str, place: Place) -> Iterator[Finding]:
    missing = tuple(there(folder, path, place))
    yield from missing
    try:
        if not missing:
            texts_of(folder.read(path), name=path)
    except (FileRefusedError, ListRefusedError) as exc:
        yield Finding(message=exc.message, place=place)
