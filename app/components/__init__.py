"""Components: pieces of the page that also work in a notebook, each of plain data."""
