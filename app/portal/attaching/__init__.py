"""Files that people send: their names made safe, their content recognised, their bytes kept."""
