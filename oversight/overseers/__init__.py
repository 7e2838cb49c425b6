"""overseers"""
