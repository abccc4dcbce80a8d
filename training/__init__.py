"""Training of Stemwire's models (PyTorch); nothing at run time imports this package."""
