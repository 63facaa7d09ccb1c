"""Renders what follows from the models: the CustomResourceDefinitions and the reference pages."""
