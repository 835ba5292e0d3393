"""What is printed and signed: pure rendering, from facts to text."""
