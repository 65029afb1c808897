"""How an installation is put together: settings, addresses, the database engine and the door to the web."""
