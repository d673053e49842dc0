"""Print the table."""

from tests.matrix import table

print(table())
