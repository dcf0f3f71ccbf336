"""One exchange over REST, through one gate; the only place that imports ccxt."""
