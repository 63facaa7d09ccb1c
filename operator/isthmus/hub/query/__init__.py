"""The aggregated API `query.isthmus.dev`: questions that an object's status is too small for, under the caller's name.

kube-apiserver authenticates the caller and passes the request on; who it says the caller is, is believed of its own
client certificate alone.
"""
