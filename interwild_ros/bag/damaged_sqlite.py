"""Read what is left of an sqlite3 storage file: message by message, by their numbers."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
import sqlite3
from typing import Any

from interwild_ros.bag.damage import Channel, Damage, Stored

_LONGEST_HOLE = 20_000  # numbers in a row that lead to no message, where the last is not known


class SqliteRemains:
    """An sqlite3 storage file that is read as far as it can be."""

    def __init__(self, path: Path) -> None:
        """Read the topics.

        :raises OSError: when it cannot be opened.
        """
        self.damage: list[Damage] = []
        self.channels: list[Channel] = []
        self._path = path
        path.open('rb').close()  # sqlite3 would not say why
        # the file is looked at by one thread at a time, not always the same
        self._base = sqlite3.connect(
            f'{path.absolute().as_uri()}?immutable=1', uri=True, check_same_thread=False
        )
        # without it SQLite refuses every file that is shorter than its first page says
        self._base.execute('PRAGMA writable_schema = ON')
        self._topics: dict[int, str] = {}
        self._last: int | None = None
        try:
            self._learn()
        except sqlite3.Error as error:
            self._note('its topics', str(error))

    def messages(self, topics: Collection[str]) -> Iterator[Stored]:
        """Return every message that can be read, in the order of their numbers."""
        holes: list[int] = []
        number, found = 0, 0
        while number < (self._last or found + _LONGEST_HOLE):
            number += 1
            try:
                stored = self._stored(number, topics)
                found = number if stored else found
            except sqlite3.Error:
                holes.append(number)
                continue
            if stored and stored.topic:
                yield stored
        self._note_holes([hole for hole in holes if hole < (self._last or found)])

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    def _stored(self, number: int, topics: Collection[str]) -> Stored | None:
        """Return a message, without topic and data if it is of another topic; None if absent."""
        row = self._row('SELECT topic_id, timestamp FROM messages WHERE id = ?', number)
        if row is None:
            return None
        topic = self._topics.get(row[0], '')
        if topic not in topics:
            return Stored('', int(row[1]), b'')
        (data,) = self._row('SELECT data FROM messages WHERE id = ?', number)
        return Stored(topic, int(row[1]), bytes(data))

    def _learn(self) -> None:
        definitions = self._definitions()
        for key, topic, kind in self._base.execute('SELECT id, name, type FROM topics'):
            self._topics[key] = topic
            self.channels.append(Channel(topic, kind, *definitions.get(kind, ('', ''))))
        try:
            self._last = self._row('SELECT max(id) FROM messages')[0]
        except sqlite3.Error as error:
            self._note('its end', f'{error}: how many messages there were is not known')

    def _definitions(self) -> dict[str, tuple[str, str]]:
        """Return the definitions that newer files hold."""
        query = 'SELECT topic_type, encoding, encoded_message_definition FROM message_definitions'
        try:
            return {kind: (encoding, text) for kind, encoding, text in self._base.execute(query)}
        except sqlite3.Error:
            return {}

    def _row(self, query: str, *values: int) -> Any:
        return self._base.execute(query, values).fetchone()

    def _note_holes(self, holes: list[int]) -> None:
        """Say once which messages could not be read; where the last is not known not the tail."""
        damage = Damage(
            self._path.name,
            f'{len(holes)} messages from number {holes[0] if holes else 0}',
            'the database is damaged there',
        )
        if holes and damage not in self.damage:
            self.damage.append(damage)

    def _note(self, where: str, reason: str) -> None:
        self.damage.append(Damage(self._path.name, where, reason))
