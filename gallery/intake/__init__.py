"""Taking pictures in that come from elsewhere, none of which can be trusted.

Knows no Django: a process of its own, with limits of its own, decodes each file (apart.py starts it), so that what is
hostile or broken costs neither the web server nor the worker anything. What is wrong is said by a code.
"""
