"""Vendors: each adapter imports ports, values and errors, and never another adapter."""
