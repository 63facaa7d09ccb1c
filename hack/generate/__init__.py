"""Renders what follows from the code: CustomResourceDefinitions, reference pages, copies of the member's manifests."""
