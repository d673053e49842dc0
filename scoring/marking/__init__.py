"""Marks of assessors: blind, moderated when they are apart, booked, given again, released."""
