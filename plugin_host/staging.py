"""All or nothing: files appear under their final names together, complete, or not at all.

Every file is written under a temporary name in the folder where it will stay. Only when all are
complete are they renamed. An error, Ctrl-C or a full disk on the way removes them, and the folders
that were made for them.

    with StagedFiles(folder) as staged:
        write_something(staged.path("drums.wav"))
        staged.commit()
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from types import TracebackType

from plugin_host.errors import OutputError


class StagedFiles:
    """A set of files that is being written into one folder; a context manager.

    Leaving the `with` block without `commit` removes what was written.
    """

    def __init__(self, folder: Path) -> None:
        """Makes the folder where it is missing.

        Args:
            folder: Where the files will stay.

        Raises:
            OutputError: If the folder cannot be made or written to.
        """
        self.folder = folder
        self._token = secrets.token_hex(4)
        self._staged: dict[Path, Path] = {}  # temporary -> final
        self._made_folders: list[Path] = []
        try:
            self._make_folders()
            self._check_writable()
        except OSError as error:
            self._remove_folders()
            raise OutputError(
                f"The output folder {folder} cannot be written to ({error.strerror}): "
                "choose another one with -o."
            ) from error

    def _make_folders(self) -> None:
        missing = [f for f in (self.folder, *self.folder.parents) if not f.exists()]
        for folder in reversed(missing):
            folder.mkdir()
            self._made_folders.append(folder)

    def _check_writable(self) -> None:
        probe = self.folder / f".stemwire-{self._token}.part"
        try:
            probe.touch(exist_ok=False)
        finally:
            probe.unlink(missing_ok=True)

    def path(self, name: str) -> Path:
        """Registers a file.

        Args:
            name: Its final name in the folder.

        Returns:
            Where to write it meanwhile; nothing is there yet.

        Raises:
            OutputError: If a folder of that name is in the way, or the name is too long.
        """
        final = self.folder / name
        try:
            is_folder = final.is_dir()
        except OSError as error:
            raise OutputError(
                f"{final} cannot be written ({error.strerror}): rename the input."
            ) from error
        if is_folder:
            raise OutputError(
                f"{final} is a folder, and a file of that name is to be written: move it away "
                "or choose another output folder with -o."
            )
        # Not made from the name, which may be as long as the system allows.
        temporary = self.folder / f".stemwire-{self._token}-{len(self._staged)}.part"
        self._staged[temporary] = final
        return temporary

    def final(self, temporary: Path) -> Path:
        """The name that a file registered with `path` will have at the end."""
        return self._staged[temporary]

    def commit(self) -> None:
        """Gives all files their final names; files that had those names before are replaced.

        Raises:
            OutputError: If a file cannot be renamed; then none of the new files stays.
        """
        renamed: list[Path] = []
        try:
            for temporary, final in self._staged.items():
                temporary.replace(final)
                renamed.append(final)
        except BaseException as error:
            for final in renamed:
                final.unlink(missing_ok=True)
            if isinstance(error, OSError):
                raise OutputError(
                    f"{error.filename2 or error.filename} cannot be written: {error.strerror}."
                ) from error
            raise
        self._staged.clear()
        self._made_folders.clear()

    def _remove_folders(self) -> None:
        for folder in reversed(self._made_folders):
            try:
                folder.rmdir()
            except OSError:
                return  # someone else has put something there meanwhile

    def __enter__(self) -> StagedFiles:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for temporary in self._staged:
            temporary.unlink(missing_ok=True)
        self._remove_folders()


def write_failure(temporary: Path, final: Path, error: Exception) -> OutputError:
    """Puts a failed write into one sentence.

    Encoders tell little about why they failed, so the cause is found by trying to write more.

    Args:
        temporary: The file that was being written; good for nothing any more.
        final: The name that it was to have.
        error: What was reported.

    Returns:
        The exception to raise.
    """
    reason = str(error)
    if isinstance(error, OSError) and error.strerror:
        reason = error.strerror
    else:
        try:
            with temporary.open("ab") as file:
                file.write(bytes(1 << 16))
                file.flush()
                os.fsync(file.fileno())
        except OSError as cause:
            reason = cause.strerror or str(cause)
    return OutputError(
        f"{final} could not be written ({reason.rstrip('.')}): nothing was kept; free some space "
        "or choose another output folder with -o."
    )
