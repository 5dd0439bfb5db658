"""What runs in the sandbox beside the code under test. Nothing here is imported by this process."""
