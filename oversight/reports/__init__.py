"""How findings are drawn: documents, tables, diagrams and timelines. It may import the rooms from
`core` to `findings`."""
