"""The public face of links: pages with a button, and the contents behind them."""
