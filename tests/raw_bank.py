"""Three clients and their bookings in a bank's own files, and the settings that read them."""

from conf.source import SourceSettings
from conf.strict_yaml import parse_yaml
from extracts.adapter import made_tables

CLIENTS = """nr;town;since;grade;card;depot
1;Brno;5.1.2024;A;1;0
2;Brno;9.2.2024;B;1;1
3;Plzen;9.2.2024;;0;NA
"""
BOOKINGS = """basket,client,shop,day,amount
b1,1,x,2024-01-20,10.00
b1,1,y,2024-01-20,2.50
b2,2,x,2024-02-20,1.00
b2,2,x,2024-02-20,0
"""
SETTINGS = """
description: A bank of three clients
tables:
  customers: {delivery: whole}
  accounts: {delivery: whole, is_required: false}
  transactions: {delivery: increment, is_required: false}
  holdings: {delivery: whole, is_required: false}
  consents: {delivery: increment, is_required: false}
  contacts: {delivery: increment, is_required: false}
adapter:
  history_from: "2024-01-01"
  raw:
    clients: {file: clients.csv, delimiter: ";", date_format: "%d.%m.%Y", nulls: [NA]}
    bookings: {file: bookings.csv}
  codes:
    grade: {A: vip, B: mass, C: null}
  make:
    customers:
      rows_of: clients
      columns:
        customer_id: {text: "K{nr}"}
        branch_id: town
        segment: {column: grade, codes: grade}
        joined_on: since
        is_employee: {always: false}
        recorded_at: {column: since, at: "18:30"}
"""


def settings(change=lambda values: None):
    values = parse_yaml(SETTINGS, "settings")
    change(values)
    return SourceSettings.model_validate(values)


def write_raw(folder):
    """The bank's files below a folder."""
    data = folder / "data"
    data.mkdir()
    (data / "clients.csv").write_text(CLIENTS)
    (data / "bookings.csv").write_text(BOOKINGS)
    return data


def made(data, table, recipe=None, change=lambda values: None):
    """The rows of one table, customers included if they are not it."""

    def changed(values):
        if recipe:
            values["adapter"]["make"][table] = parse_yaml(recipe, "recipe")
        change(values)

    tables = {one.table.name: one for one in made_tables(data, settings(changed))}
    return tables[table].rows.to_pylist()


TRANSACTIONS = """
rows_of: bookings
look_up: {clients: {client: nr}}
without: {amount: ["0"]}
one_row_per: [basket]
in_order_of: day
columns:
  transaction_id: {text: "{basket}-{shop}"}
  account_id: {text: "A{client}"}
  booked_on: day
  amount: {total: amount, is_debit: true}
  currency: {always: CZK}
  counterparty_id: clients.town
  recorded_at: {later_of: [day, clients.since], at: "18:00"}
"""
