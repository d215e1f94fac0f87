"""The method: GM-augCls from end to end."""
