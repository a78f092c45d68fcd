"""A run under changed rules: its calls replayed with the prompt cache modelled.

What really happened is the base. Rules change the parts of each prompt; parts have sizes that were measured, where a
call's reported input grew by them, or shared out over its kinds. For the real prompts and for the changed ones the same
model says how much of each could be read: what the call before left, as far as both prompts are the same, alive at the
real gap, by the provider's rule. Where the real call read what the model says, the changed one reads what the model
says of it; where it read less or more for reasons outside, the same place of its prompt stays the boundary. A call that
no rule reaches keeps its stored numbers to the last digit.
"""
