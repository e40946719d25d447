"""The API's operations: one module per resource, each naming its group and permissions."""
