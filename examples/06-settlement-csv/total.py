"""The sum of a statement's amounts: `python3 total.py statement.csv`."""

import csv
import sys
from decimal import Decimal
from pathlib import Path

with Path(sys.argv[1]).open(newline="") as file:
    total = sum(Decimal(row["amount"] or 0) for row in csv.DictReader(file))
print(f"{sys.argv[1]}: {total:.2f} CNY")
