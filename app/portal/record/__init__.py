"""What a record type's pages are made of: what is declared, the list, the page, the steps, the form."""
