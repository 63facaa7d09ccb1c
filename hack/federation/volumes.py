"""A pod's volumes as folders of this machine."""

from collections.abc import Iterator
from pathlib import Path

from federation.environment import Read, content
from federation.manifests import Object


class Volumes:
    """Those of one pod below `folder`; what is claimed is kept for the pods that come after it."""

    def __init__(self, pod: Object, folder: Path, read: Read) -> None:
        """Makes the folders and writes their files."""
        self._folder = folder
        self._read = read
        self._own = folder / pod["metadata"]["name"]
        self._places = {volume["name"]: self._made(volume) for volume in pod["spec"].get("volumes", ())}

    def mounted(self, container: Object) -> Iterator[tuple[str, Path]]:
        """The container's mount paths with their folders, or files where a subPath is mounted."""
        for mount in container.get("volumeMounts", ()):
            yield mount["mountPath"].rstrip("/"), self._places[mount["name"]] / mount.get("subPath", "")

    def _made(self, volume: Object) -> Path:
        """Raises ValueError for a kind of volume that this machine can't have."""
        place = Path(self._own, volume["name"])
        files: dict[str, bytes] = {}
        if "persistentVolumeClaim" in volume:
            claim = str(volume["persistentVolumeClaim"]["claimName"])
            self._read("persistentvolumeclaims", claim)  # a kubelet waits for the claim; a wrong name is told here
            place = self._folder / "claims" / claim
        elif "configMap" in volume:
            files = self._files(volume["configMap"], "configmaps", "name")
        elif "secret" in volume:
            files = self._files(volume["secret"], "secrets", "secretName")
        elif "emptyDir" not in volume:
            raise ValueError(f"the volume {volume['name']} is of a kind that this machine has not: {sorted(volume)}")
        place.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_bytes(text)
        return place

    def _files(self, source: Object, plural: str, key: str) -> dict[str, bytes]:
        held = content(self._read(plural, source[key]))
        items = source.get("items")
        return held if items is None else {item["path"]: held[item["key"]] for item in items}
